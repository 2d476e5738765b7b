"""The Dispatch Pro tenant of the sandbox: its data, its API, and the hands that change it while it runs."""
