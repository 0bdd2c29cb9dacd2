// grpc-go: the service by the stubs that protoc makes of proto/, and health.
package main

import (
	"context"
	"encoding/json"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	pb "clients/encoderfilepb"
)

func main() {
	address, texts := os.Args[1], os.Args[2:]

	// Setup
	connection, _ := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	client := pb.NewSentenceEmbeddingClient(connection)

	answer, err := client.Predict(context.Background(), &pb.SentenceEmbeddingRequest{Inputs: texts})
	if err != nil {
		panic(err)
	}
	vectors := [][]float32{}
	for _, each := range answer.Results {
		vectors = append(vectors, each.Embedding)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"vectors": vectors})

	health := grpc_health_v1.NewHealthClient(connection)
	status, err := health.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || status.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		panic("not serving")
	}
}
