"""`python -m encoderfile` is the `encoderfile` command."""

from encoderfile.cli.main import main

main()
