// sashabaranov/go-openai: embeddings.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/sashabaranov/go-openai"
)

func main() {
	url, texts := os.Args[1], os.Args[2:]

	// Setup
	config := openai.DefaultConfig("none")
	config.BaseURL = url + "/v1"

	client := openai.NewClientWithConfig(config)
	answer, err := client.CreateEmbeddings(context.Background(), openai.EmbeddingRequest{
		Model: "embed",
		Input: texts,
	})
	if err != nil {
		panic(err)
	}
	vectors := [][]float32{}
	for _, each := range answer.Data {
		vectors = append(vectors, each.Embedding)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"vectors": vectors})
}
