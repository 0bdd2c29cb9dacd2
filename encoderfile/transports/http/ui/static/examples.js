// What to try a model with that has no examples of its own.

const password = {
  title: "Password",
  texts: ["How do I reset my password?", "Password recovery steps", "The cat sat on the windowsill."],
};

/** Examples by the way to look at a model. */
export const examplesOf = {
  compare: [
    password,
    {
      title: "Weather and markets",
      texts: [
        "It will rain all day tomorrow.",
        "Bring an umbrella: showers are expected.",
        "Shares fell sharply after the announcement.",
        "The stock market had its worst day of the year.",
        "My sister plays the violin.",
      ],
    },
    {
      title: "Languages",
      texts: ["Where is the railway station?", "Wo ist der Bahnhof?", "Où est la gare ?", "I would like a coffee."],
    },
  ],
  rank: [
    {
      title: "Password",
      query: "How do I reset my password?",
      texts: ["Our office is open from nine to five.", "Password recovery steps", "The cat sat on the windowsill."],
    },
    {
      title: "Planets",
      query: "Which planet is the largest?",
      texts: [
        "Mars is called the red planet.",
        "Jupiter has more mass than all other planets together.",
        "The largest library is in Washington.",
      ],
    },
  ],
  classify: [
    {
      title: "Reviews",
      texts: ["This product is amazing!", "It broke after two days, and nobody answered my letters."],
    },
    { title: "In between", texts: ["The screen is great, the battery is not.", "It works.", "Not bad at all!"] },
  ],
  pairs: [
    { title: "Paris", texts: [{ text: "Where is Paris?", text_pair: "Paris is in France." }] },
    {
      title: "Same or not",
      texts: [
        { text: "A man is playing a guitar.", text_pair: "Somebody makes music." },
        { text: "A man is playing a guitar.", text_pair: "The stage is empty." },
      ],
    },
  ],
  entities: [
    { title: "People and places", texts: ["John lives in Paris", "Angela Merkel met Barack Obama in Berlin."] },
    { title: "Companies", texts: ["Tim Cook leads Apple in California.", "Siemens has offices in Munich and London."] },
  ],
  spans: [
    {
      title: "People and cities",
      labels: ["person", "city"],
      texts: ["Ada Lovelace was born in London.", "Marie Curie moved from Warsaw to Paris."],
    },
    {
      title: "Orders",
      labels: ["product", "quantity", "delivery date"],
      texts: ["Please send 12 desk lamps by the third of May."],
    },
  ],
  choice: [
    {
      title: "Mood",
      labels: ["positive", "negative", "neutral"],
      texts: ["The parcel came two days late.", "Thank you, that was quick!"],
    },
    {
      title: "Topic",
      labels: ["delivery", "payment", "returns", "account"],
      texts: ["I was charged twice for one order.", "Where is my parcel?"],
    },
  ],
};
