# syntax=docker/dockerfile:1
# The worker: Kafka in and out, fetching, decoding and splitting. Build from the repository's root:
#
#   docker build -f deploy/docker/worker.Dockerfile --build-arg CUDA_DIGEST=sha256:… -t streamer-worker:0.1.0 .
#
# The digest of a tag is shown by: docker buildx imagetools inspect nvidia/cuda:13.0.1-base-ubuntu24.04
ARG CUDA_TAG=13.0.1-base-ubuntu24.04
ARG CUDA_DIGEST

FROM nvidia/cuda:${CUDA_TAG}@${CUDA_DIGEST} AS python
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*

FROM python AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/streamer/venv
ENV PATH=/opt/streamer/venv/bin:$PATH
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY streamer streamer
COPY clients clients
COPY model_repository model_repository
# Some sites need a JavaScript runtime: yt-dlp runs the one of its extra, deno.
RUN pip install --no-cache-dir -c constraints.txt '.[gpu]' 'yt-dlp[default,deno]'

# The sample that the chart's test submits; what makes it stays in this stage.
FROM build AS sample
RUN pip install --no-cache-dir -c constraints.txt scikit-image \
    && mkdir /samples \
    && python -c "from pathlib import Path; from streamer.sample_reel import make_sample_reel; make_sample_reel(Path('/samples/reel.mp4'))"

FROM python
RUN useradd --uid 10001 --user-group --home-dir /tmp --shell /usr/sbin/nologin streamer \
    && install -d -o 10001 -g 10001 /scratch
COPY --from=build /opt/streamer/venv /opt/streamer/venv
COPY --from=sample /samples /opt/streamer/samples
ENV PATH=/opt/streamer/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    DENO_DIR=/tmp/deno \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video \
    STREAMER_ACQUIRE__TEMP_DIR=/scratch
USER 10001:10001
CMD ["streamer", "worker"]
