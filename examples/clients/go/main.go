// Asks a built file over gRPC.
//
//	go run . [-target localhost:50051] MODEL_TYPE TEXT...
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	pb "example.com/encoderfile-client/encoderfilepb"
)

func main() {
	log.SetFlags(0)
	target := flag.String("target", "localhost:50051", "where the file serves gRPC")
	flag.Parse()
	if flag.NArg() < 2 {
		log.Fatal("usage: go run . [-target localhost:50051] MODEL_TYPE TEXT...")
	}

	conn, err := grpc.NewClient(*target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	response, err := predict(context.Background(), conn, flag.Arg(0), flag.Args()[1:])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(protojson.MarshalOptions{Multiline: true, UseProtoNames: true}.Format(response))
}

// A built file has the one service of its model type.
func predict(ctx context.Context, conn *grpc.ClientConn, modelType string, inputs []string) (proto.Message, error) {
	switch modelType {
	case "embedding":
		return pb.NewEmbeddingClient(conn).Predict(ctx, &pb.EmbeddingRequest{Inputs: inputs, Normalize: true})
	case "sentence_embedding":
		return pb.NewSentenceEmbeddingClient(conn).Predict(ctx, &pb.SentenceEmbeddingRequest{Inputs: inputs})
	case "sequence_classification":
		return pb.NewSequenceClassificationClient(conn).Predict(ctx, &pb.SequenceClassificationRequest{Inputs: inputs})
	case "token_classification":
		return pb.NewTokenClassificationClient(conn).Predict(ctx, &pb.TokenClassificationRequest{Inputs: inputs})
	}
	return nil, fmt.Errorf("unknown model type %q", modelType)
}
