// podsecurity prints what Kubernetes' own code for Pod Security, at the level restricted, refuses of the Deployments in
// a stream of YAML on stdin, and ends with 1 if it refuses any.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	exitOn(err)
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	reader := yamlstream.NewYAMLReader(bufio.NewReader(os.Stdin))
	found, refused := 0, 0
	for {
		text, err := reader.Read()
		if err == io.EOF {
			break
		}
		exitOn(err)
		var one appsv1.Deployment
		if yaml.Unmarshal(text, &one) != nil || one.Kind != "Deployment" {
			continue
		}
		// Strictly: a field that does not exist protects nobody.
		exitOn(yaml.UnmarshalStrict(text, &one))
		found++
		for _, result := range evaluator.EvaluatePod(level, &one.Spec.Template.ObjectMeta, &one.Spec.Template.Spec) {
			if !result.Allowed {
				refused++
				fmt.Println(result.ForbiddenReason+":", result.ForbiddenDetail)
			}
		}
	}
	if found == 0 {
		exitOn(fmt.Errorf("there is no Deployment on stdin"))
	}
	if refused > 0 {
		os.Exit(1)
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
