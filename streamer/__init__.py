"""Turns video URLs into captioned clips: decode, shots, stitching, captions, over Kafka."""
