// cohere-go: reranking by its second API.
package main

import (
	"context"
	"encoding/json"
	"os"

	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/cohere-ai/cohere-go/v2/client"
)

func main() {
	url, query, documents := os.Args[1], os.Args[2], os.Args[3:]

	// Setup
	co := client.NewClient(client.WithBaseURL(url), client.WithToken("none"))

	answer, err := co.V2.Rerank(context.Background(), &cohere.V2RerankRequest{
		Model:     "rerank",
		Query:     query,
		Documents: documents,
	})
	if err != nil {
		panic(err)
	}
	ranks := [][]float64{}
	for _, each := range answer.Results {
		ranks = append(ranks, []float64{float64(each.Index), each.RelevanceScore})
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"ranks": ranks})
}
