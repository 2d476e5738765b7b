"""What does a Pipedrive account answer? A server on loopback, written from the vendor's documents."""
