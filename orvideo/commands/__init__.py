"""One file per subcommand: parse, call, hand the value to the output."""
