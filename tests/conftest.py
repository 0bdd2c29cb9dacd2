"""For all tests: what has to be said before gRPC is first used."""

import os

# Tests start processes while servers and clients of gRPC run in this one. gRPC's handlers around `fork` let such a
# process, one that is started as another user, now and then end by a signal before it becomes the program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"
