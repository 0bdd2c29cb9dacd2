"""`llama-index-postprocessor-cohere-rerank`: reranking."""

import json
import sys

from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.postprocessor.cohere_rerank import CohereRerank

url, query, *documents = sys.argv[1:]

# Setup
reranker = CohereRerank(model="rerank", base_url=url, api_key="none", top_n=10)

nodes = [NodeWithScore(node=TextNode(text=document, id_=str(at))) for at, document in enumerate(documents)]
answer = reranker.postprocess_nodes(nodes, query_str=query)
print(json.dumps({"ranks": [[int(each.node.node_id), each.score] for each in answer]}))
