# JupyterLab with the Go kernel and all caches warm:
#
#   docker build -t qhlab .
#   docker run --init --name qhlab -p 127.0.0.1:8888:8888 qhlab
#
# Nothing is downloaded when the container runs. Changed notebooks stay in it until it
# is removed: docker start -a qhlab opens it again, docker cp copies them out. Codespaces
# (.devcontainer) and Binder (.binder) use this file too; Binder starts its own jupyter-lab.
FROM golang:1.26-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --shell /bin/bash qhlab
USER qhlab
# Not every builder gives a folder that WORKDIR makes to the user.
RUN mkdir /home/qhlab/qhlab
WORKDIR /home/qhlab/qhlab
ENV GOPATH=/home/qhlab/go GOTOOLCHAIN=local

# What changes rarely comes first, so that a changed notebook costs seconds.
COPY --chown=qhlab go.mod go.sum ./
RUN go mod download

COPY --chown=qhlab . .
RUN go run ./notebooks prepare \
    && go build -o "$HOME/notebooks" ./notebooks \
    && "$HOME/notebooks" doctor

ENV PATH=$PATH:/home/qhlab/qhlab/.tools/venv/bin \
    JUPYTER_PATH=/home/qhlab/qhlab/.jupyter JUPYTER_CONFIG_PATH=/home/qhlab/qhlab/.jupyter

EXPOSE 8888
CMD ["/home/qhlab/notebooks", "lab", "-address", "0.0.0.0", "-no-browser"]
