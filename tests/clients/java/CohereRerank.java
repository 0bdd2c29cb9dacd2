// `langchain4j-cohere`: reranking.
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.cohere.CohereScoringModel;
import java.util.Arrays;
import java.util.stream.IntStream;

class CohereRerank {
    public static void main(String[] arguments) {
        var url = arguments[0];
        var query = arguments[1];
        var documents = Arrays.stream(arguments).skip(2).map(TextSegment::from).toList();

        // Setup
        var model = CohereScoringModel.builder().baseUrl(url + "/v1/").apiKey("none").modelName("rerank").build();

        var scores = model.scoreAll(documents, query).content();
        var best = IntStream.range(0, scores.size()).boxed().sorted((a, b) -> scores.get(b).compareTo(scores.get(a)));
        var found = best.map(at -> Arrays.asList(at, scores.get(at))).toList();
        System.out.println("{\"ranks\": " + found + "}");
    }
}
