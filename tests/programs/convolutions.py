# expect: \(conv1\): Conv2d\(3, 6, kernel_size=\(5, 5\), stride=\(1, 1\)\)
# expect: <All keys matched successfully>
# expect: same predictions True
# expect: probabilities sum to tensor\(\[1\.(0000)?, 1\.(0000)?\]\)
# expect: 62006 parameters
"""A small convolutional network: train, save, load, predict."""

import os
import tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc3(F.relu(self.fc2(x)))


torch.manual_seed(0)
net = Net()
print(net)
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()
x, y = torch.randn(32, 3, 32, 32), torch.randint(0, 10, (32,))
losses = []
for _ in range(8):
    for i in range(0, 32, 16):
        optimizer.zero_grad()
        loss = criterion(net(x[i : i + 16]), y[i : i + 16])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
assert losses[-1] < losses[0]
path = os.path.join(tempfile.mkdtemp(), "net.pth")
torch.save(net.state_dict(), path)
twin = Net()
print(twin.load_state_dict(torch.load(path, weights_only=True)))
with torch.no_grad():
    _, predicted = torch.max(twin(x), 1)
    print("same predictions", torch.equal(predicted, net(x).argmax(1)))
    print("probabilities sum to", torch.softmax(twin(x[:2]), dim=1).sum(1))
    assert twin(x).topk(3).indices.shape == (32, 3)
print(sum(p.numel() for p in net.parameters() if p.requires_grad), "parameters")
