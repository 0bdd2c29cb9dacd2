// Asks a built file over gRPC.
//
//	go run . localhost:50051 SERVICE TEXT...
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	pb "example.com/encoderfile-client/encoderfilepb"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: go run . TARGET SERVICE TEXT...")
	}
	target, service, inputs := os.Args[1], os.Args[2], os.Args[3:]

	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	response, err := predict(context.Background(), conn, service, inputs)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(protojson.MarshalOptions{Multiline: true, UseProtoNames: true}.Format(response))
}

// A built file has the one service of its model type.
func predict(ctx context.Context, conn *grpc.ClientConn, service string, inputs []string) (proto.Message, error) {
	switch service {
	case "Embedding":
		return pb.NewEmbeddingClient(conn).Predict(ctx, &pb.EmbeddingRequest{Inputs: inputs, Normalize: true})
	case "SentenceEmbedding":
		return pb.NewSentenceEmbeddingClient(conn).Predict(ctx, &pb.SentenceEmbeddingRequest{Inputs: inputs})
	case "SequenceClassification":
		return pb.NewSequenceClassificationClient(conn).Predict(ctx, &pb.SequenceClassificationRequest{Inputs: inputs})
	case "TokenClassification":
		return pb.NewTokenClassificationClient(conn).Predict(ctx, &pb.TokenClassificationRequest{Inputs: inputs})
	}
	return nil, fmt.Errorf("unknown service %q", service)
}
