"""Outputs and derivatives of small networks by PyTorch, for network_oracle_test.go.

Run with PyTorch 2 (CPU):  python networks.py > networks.json

Parameters are theta_i = sin(i + 1)/2, inputs x_j = cos(3 j), weights of outputs
w_k = cos(k), the direction v_i = sin(2 i + 1); i, j and k count entries in the
order of the network's blocks, points and outputs.
"""

import json

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


class Residual(nn.Module):
    def __init__(self, body, skip):
        super().__init__()
        self.body, self.skip = body, skip

    def forward(self, h):
        return self.skip(h) + self.body(h)


class BatchNorm(nn.Module):
    """nn.BatchNorm1d and 2d refuse eps = 0 in training."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, h):
        over = [d for d in range(h.dim()) if d != 1]
        variance, mean = torch.var_mean(h, over, correction=0, keepdim=True)
        shape = [-1 if d == 1 else 1 for d in range(h.dim())]
        return (h - mean) / variance.sqrt() * self.weight.view(shape) + self.bias.view(shape)


NETWORKS = {
    "dense": ([4, 3], nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.LeakyReLU(0.1), nn.Linear(4, 2))),
    "smooth": ([4, 3], nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 4), nn.Softplus(), nn.Linear(4, 3), nn.Tanh())),
    "normalized": ([6, 3], nn.Sequential(nn.Linear(3, 6), BatchNorm(6), nn.ReLU(), nn.Linear(6, 6), nn.LayerNorm(6, eps=0), nn.Linear(6, 6), nn.GroupNorm(2, 6, eps=0), nn.RMSNorm(6, eps=0), nn.Linear(6, 2, bias=False))),
    "convolutional": ([3, 2, 7, 6], nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), BatchNorm(4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.GroupNorm(2, 4, eps=0), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))),
    "pooled": ([2, 1, 9, 8], nn.Sequential(nn.Conv2d(1, 3, 2), nn.MaxPool2d(3, stride=2, padding=1), nn.Conv2d(3, 2, 2), nn.AvgPool2d(2, stride=1), nn.Flatten(), nn.Linear(8, 2))),
    "residual": ([3, 2, 6, 6], nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, bias=False), Residual(nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), BatchNorm(4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)), nn.Conv2d(3, 4, 1, stride=2, bias=False)), nn.ReLU(), nn.Flatten(), nn.Linear(36, 1))),
}


def reference(shape, net):
    parameters = list(net.parameters())
    sizes = [p.numel() for p in parameters]
    theta = torch.sin(torch.arange(sum(sizes)) + 1.0) / 2
    direction = torch.sin(2.0 * torch.arange(sum(sizes)) + 1)
    for p, block in zip(parameters, theta.split(sizes)):
        p.data.copy_(block.view_as(p))
    x = torch.cos(3.0 * torch.arange(torch.Size(shape).numel())).view(shape).requires_grad_()
    outputs = net(x)
    weights = torch.cos(torch.arange(outputs.numel()) * 1.0).view_as(outputs)
    total = (weights * outputs).sum()
    gradient = torch.autograd.grad(total, parameters, create_graph=True)
    flat = torch.cat([g.reshape(-1) for g in gradient])
    slope = flat @ direction
    curved = torch.autograd.grad(slope, parameters, retain_graph=True, materialize_grads=True)
    (input_gradient,) = torch.autograd.grad(total, x)
    return {
        "shape": shape,
        "parameters": sum(sizes),
        "outputs": outputs.flatten().tolist(),
        "gradient": flat[::7].tolist(),
        "slope": slope.item(),
        "hessian": torch.cat([c.reshape(-1) for c in curved])[::7].tolist(),
        "input": input_gradient.flatten()[::5].tolist(),
    }


print(json.dumps({name: reference(*network) for name, network in NETWORKS.items()}, indent=1))
