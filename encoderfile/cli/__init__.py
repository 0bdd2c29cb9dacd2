"""The `encoderfile` command, one file per subcommand. Steps go to stderr, results to stdout."""
