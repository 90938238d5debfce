# expect: loss fell
# expect: sampled 20 characters
# expect: rate \[0\.00125\]
"""A recurrent network over characters: embedding, LSTM, clipping, schedule, sampling."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
text = "hello world, this is a small text for a small network. " * 10
characters = sorted(set(text))
place = {c: i for i, c in enumerate(characters)}
data = torch.tensor([place[c] for c in text], dtype=torch.long)


class CharRNN(nn.Module):
    def __init__(self, size, width=16, hidden=32):
        super().__init__()
        self.emb = nn.Embedding(size, width)
        self.rnn = nn.LSTM(width, hidden, num_layers=2, batch_first=True, dropout=0.1)
        self.out = nn.Linear(hidden, size)

    def forward(self, x, state=None):
        o, state = self.rnn(self.emb(x), state)
        return self.out(o), state


model = CharRNN(len(characters))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10, 0.5)
losses = []
for _ in range(30):
    starts = torch.randint(0, len(data) - 25, (8,))
    xb = torch.stack([data[i : i + 24] for i in starts])
    yb = torch.stack([data[i + 1 : i + 25] for i in starts])
    logits, _ = model(xb)
    loss = F.cross_entropy(logits.view(-1, len(characters)), yb.view(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
assert losses[-1] < losses[0]
print("loss fell", "rate", schedule.get_last_lr())
model.eval()
index, state, sampled = torch.zeros((1, 1), dtype=torch.long), None, []
with torch.no_grad():
    for _ in range(20):
        logits, state = model(index, state)
        index = torch.multinomial(F.softmax(logits[:, -1, :] / 0.8, dim=-1), 1)
        sampled.append(characters[index.item()])
print("sampled", len("".join(sampled)), "characters")
