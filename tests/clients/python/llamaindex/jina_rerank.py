"""`llama-index-postprocessor-jinaai-rerank`: reranking."""

import json
import sys

from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.postprocessor.jinaai_rerank import JinaRerank

url, query, *documents = sys.argv[1:]

# Setup
reranker = JinaRerank(model="rerank", base_url=f"{url}/v1", api_key="none", top_n=10)

nodes = [NodeWithScore(node=TextNode(text=document, id_=str(at))) for at, document in enumerate(documents)]
answer = reranker.postprocess_nodes(nodes, query_str=query)
print(json.dumps({"ranks": [[int(each.node.node_id), each.score] for each in answer]}))
