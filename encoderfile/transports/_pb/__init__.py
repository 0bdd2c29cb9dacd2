from encoderfile.transports._pb import encoderfile_pb2 as encoderfile_pb2
from encoderfile.transports._pb import token_pb2 as token_pb2
