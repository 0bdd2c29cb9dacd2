// `langchain4j-ollama`: embeddings.
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.ollama.OllamaEmbeddingModel;
import java.util.Arrays;

class OllamaEmbed {
    public static void main(String[] arguments) {
        var url = arguments[0];
        var texts = Arrays.stream(arguments).skip(1).map(TextSegment::from).toList();

        // Setup
        var model = OllamaEmbeddingModel.builder().baseUrl(url).modelName("embed").build();

        var found = model.embedAll(texts).content().stream().map(each -> Arrays.toString(each.vector())).toList();
        System.out.println("{\"vectors\": " + found + "}");
    }
}
