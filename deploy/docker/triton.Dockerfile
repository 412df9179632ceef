# syntax=docker/dockerfile:1
# Triton with what the models need, and `streamer models build`. Build from the repository's root:
#
#   docker build -f deploy/docker/triton.Dockerfile --build-arg TRITON_DIGEST=sha256:… -t streamer-triton:0.1.0 .
#
# The digest of a tag is shown by: docker buildx imagetools inspect nvcr.io/nvidia/tritonserver:25.10-py3
ARG TRITON_TAG=25.10-py3
ARG TRITON_DIGEST

FROM nvcr.io/nvidia/tritonserver:${TRITON_TAG}@${TRITON_DIGEST} AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY streamer streamer
COPY clients clients
COPY model_repository model_repository
# Beside the server's own Python, which runs the models, rather than among its packages.
RUN python3 -m pip install --no-cache-dir --target /opt/streamer -c constraints.txt '.[models,hub]'

FROM nvcr.io/nvidia/tritonserver:${TRITON_TAG}@${TRITON_DIGEST}
RUN useradd --uid 10001 --user-group --home-dir /tmp --shell /usr/sbin/nologin streamer \
    && install -d -o 10001 -g 10001 /models
COPY --from=build /opt/streamer /opt/streamer
ENV PATH=/opt/streamer/bin:$PATH \
    PYTHONPATH=/opt/streamer \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 10001:10001
CMD ["tritonserver", "--model-repository=/models/repository"]
