// openai-go: embeddings.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	url, texts := os.Args[1], os.Args[2:]

	// Setup
	client := openai.NewClient(option.WithBaseURL(url+"/v1/"), option.WithAPIKey("none"))

	answer, err := client.Embeddings.New(context.Background(), openai.EmbeddingNewParams{
		Model: "embed",
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts},
	})
	if err != nil {
		panic(err)
	}
	vectors := [][]float64{}
	for _, each := range answer.Data {
		vectors = append(vectors, each.Embedding)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"vectors": vectors})
}
