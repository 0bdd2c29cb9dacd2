// cohere-go: embeddings by its second API.
package main

import (
	"context"
	"encoding/json"
	"os"

	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/cohere-ai/cohere-go/v2/client"
)

func main() {
	url, texts := os.Args[1], os.Args[2:]

	// Setup
	co := client.NewClient(client.WithBaseURL(url), client.WithToken("none"))

	answer, err := co.V2.Embed(context.Background(), &cohere.V2EmbedRequest{
		Model:          "embed",
		Texts:          texts,
		InputType:      cohere.EmbedInputTypeSearchDocument,
		EmbeddingTypes: []cohere.EmbeddingType{cohere.EmbeddingTypeFloat},
	})
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"vectors": answer.Embeddings.Float})
}
