"""Turns an exported ONNX encoder and its tokenizer into one self-contained executable."""

__version__ = "0.1.0"
