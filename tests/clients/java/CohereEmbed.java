// `langchain4j-cohere`: embeddings.
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.cohere.CohereEmbeddingModel;
import java.util.Arrays;

class CohereEmbed {
    public static void main(String[] arguments) {
        var url = arguments[0];
        var texts = Arrays.stream(arguments).skip(1).map(TextSegment::from).toList();

        // Setup
        var model = CohereEmbeddingModel.builder().baseUrl(url + "/v1/").apiKey("none").modelName("embed").build();

        var found = model.embedAll(texts).content().stream().map(each -> Arrays.toString(each.vector())).toList();
        System.out.println("{\"vectors\": " + found + "}");
    }
}
