"""The Athena API: operations by name, as AWS's own description of it defines them."""
