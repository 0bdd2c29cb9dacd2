// What is reckoned with vectors.

function dot(one, other) {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += one[index] * other[index];
  return sum;
}

/** The length of a vector. */
export function norm(vector) {
  return Math.sqrt(dot(vector, vector));
}

/** The cosine of each of some vectors (rows) with each of others. */
export function similarities(some, others = some) {
  const norms = others.map(norm);
  return some.map((one) => {
    const length = norm(one);
    return others.map((other, column) => (one === other ? 1 : dot(one, other) / (length * norms[column] || 1)));
  });
}
