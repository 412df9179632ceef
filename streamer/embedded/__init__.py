"""Services for one machine: a Kafka broker and a Triton server that end with their parent."""
