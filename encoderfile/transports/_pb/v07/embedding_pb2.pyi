from encoderfile.transports._pb import encoderfile_pb2 as _encoderfile_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
