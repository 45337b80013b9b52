# CPU:  docker build -t dominance --build-arg TORCH_INDEX=URL .     URL: PyTorch's index of wheels for the CPU
# CUDA: docker build -t dominance:cuda --build-arg TORCH_INDEX=URL .      URL: that of wheels for your CUDA
# Run:  docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" dominance audit campaign.yaml     with CUDA, add --gpus all
# PyTorch's site names its indices. Without TORCH_INDEX torch comes from pip's own, on x86-64 with CUDA.
FROM python:3.12-slim

# The version that the tests run with.
ARG TORCH=torch==2.13.0
ARG TORCH_INDEX=
ARG EXTRAS=

WORKDIR /src
RUN python -m pip install --no-cache-dir "$TORCH" ${TORCH_INDEX:+--index-url "$TORCH_INDEX"}
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m pip install --no-cache-dir -c constraints.txt ".${EXTRAS:+[$EXTRAS]}" && dominance --version

# Models from a hub and run folders belong to whoever runs the container; nothing in it needs root.
RUN useradd --create-home --uid 1000 dominance
USER dominance
ENV HOME=/tmp HF_HOME=/work/.cache/huggingface HF_HUB_DISABLE_TELEMETRY=1
WORKDIR /work
ENTRYPOINT ["dominance"]
CMD ["--help"]
