// ollama/api: embeddings by both of its routes, and the version.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	neturl "net/url"
	"os"

	"github.com/ollama/ollama/api"
)

func main() {
	url, texts := os.Args[1], os.Args[2:]

	// Setup
	base, _ := neturl.Parse(url)
	client := api.NewClient(base, http.DefaultClient)

	several, err := client.Embed(context.Background(), &api.EmbedRequest{Model: "embed", Input: texts})
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"vectors": several.Embeddings})
	vectors := [][]float64{}
	for _, text := range texts {
		one, err := client.Embeddings(context.Background(), &api.EmbeddingRequest{Model: "embed", Prompt: text})
		if err != nil {
			panic(err)
		}
		vectors = append(vectors, one.Embedding)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"vectors": vectors})
	if _, err := client.Version(context.Background()); err != nil {
		panic(err)
	}
	if _, err := client.Show(context.Background(), &api.ShowRequest{Model: "embed"}); err != nil {
		panic(err)
	}
}
