"""The special tokens around a text, for classes that rebuild them whatever tokenizer.json says.

Sources: `update_post_processor` of transformers 4.57, models/llama/tokenization_llama_fast.py and its like, and
`set_src_lang_special_tokens` of models/{mbart,mbart50,nllb}/tokenization_*_fast.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoderfile.builder.tokenizer_classes import Template, TokenizerClass
from encoderfile.builder.vocabulary import Vocabulary, content_of
from encoderfile.errors import ModelError

Json = dict[str, Any]


def rebuilt(vocabulary: Vocabulary, config: Mapping[str, Any], cls: TokenizerClass) -> Json:
    """The `post_processor` of tokenizer.json as the class builds it from its settings.

    Raises `ModelError` for a token that is missing in the settings or in the tokenizer.
    """

    def special_token(token: str, kind: int) -> Json:
        return {"SpecialToken": {"id": token, "type_id": kind}}

    def text(name: str, kind: int) -> Json:
        return {"Sequence": {"id": name, "type_id": kind}}

    if cls.template is Template.BOS_EOS:
        before = [_required(config, "bos_token")] if config.get("add_bos_token") else []
        after = [_required(config, "eos_token")] if config.get("add_eos_token") else []
        single, second = (
            [*(special_token(t, kind) for t in before), text(name, kind), *(special_token(t, kind) for t in after)]
            for name, kind in (("A", 0), ("B", 1))
        )
        pair = [*single, *second]
    else:
        language, eos = _required(config, "src_lang"), _required(config, "eos_token")
        first = cls.template is Template.LANGUAGE_FIRST and not config.get("legacy_behaviour")
        before, after = ([language], [eos]) if first else ([], [eos, language])
        opening, closing = [special_token(t, 0) for t in before], [special_token(t, 0) for t in after]
        single = [*opening, text("A", 0), *closing]
        pair = [*opening, text("A", 0), text("B", 0), *closing]
    ids = {token: vocabulary.id_of(token) for token in (*before, *after)}
    for token, found in ids.items():
        if found is None:
            raise ModelError(
                f"tokenizer.json has no token {token}, which {cls.name}Tokenizer adds around texts: "
                "the two belong to different models, export the tokenizer again"
            )
    special = {token: {"id": token, "ids": [found], "tokens": [token]} for token, found in ids.items()}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}


def _required(config: Mapping[str, Any], key: str) -> str:
    token = content_of(config.get(key))
    if token is None:
        raise ModelError(f"tokenizer_config.json has no {key}, which its own settings add around texts: correct it")
    return token
