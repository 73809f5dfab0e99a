import { readFileSync } from 'node:fs';
import { firstPrompt, sampleText } from '../support/paths';

/** A conversation as fine-tuning files have it, on one line. */
const conversation = (question: string, answer: string): string =>
  JSON.stringify({
    messages: [
      { role: 'system', content: 'You answer questions about a document, briefly, and say so where you do not know.' },
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ],
  });

const asked = sampleText().slice(0, 1500);

/** A few sentences on what a window does, in Chinese. */
const chinese = Array.from(
  { length: 12 },
  (_, index) =>
    `第${index + 1}段。每个词只看它前面的五百个词，再加上最前面的四个词。窗口越小，计算越少，但模型看不到更早的内容。请根据上面的文字回答：哪些词被遮住了？如果不知道，就说不知道。`,
).join('\n\n');

/** What the workspace of the pictures holds: prompts as people keep them, and experiments. */
export const files = {
  'prompt.md': readFileSync(firstPrompt, 'utf8'),
  'question.prompt': sampleText().slice(0, 6000),
  'support.chat.jsonl': [
    conversation(`What does this say about blocks?\n\n${asked}`, 'That each call reads at most M tokens.'),
    conversation('Which masks are there?', 'Full, causal, windows with and without sinks, and those that you write.'),
  ].join('\n'),
  'review.prompt.md': `---\nmode: agent\ndescription: Review a change\ntools: ['search']\n---\n\n# Task\n\nReview the change below.\n\n${asked}\n`,
  'chinese.prompt': chinese,
  'long.md': sampleText(),
  'windows.two-heads.json': JSON.stringify(
    {
      version: 1,
      prompts: ['long.md'],
      model: 'tiny-docs-5m',
      scenarios: [8, 16, 32, 64, 128].map((window) => `sliding-window:${window}`),
      context: 256,
      provider: 'cpu',
      threads: 1,
    },
    null,
    2,
  ),
  // With two mistakes, as diagnostics show them, and a budget, as the Testing view does.
  'masks.two-heads.json': JSON.stringify(
    {
      version: 1,
      prompts: ['long.mdd'],
      model: 'tiny-docs-5m',
      scenarios: ['causal', 'sliding-windw:64', 'attention-sink:60:4'],
      context: 256,
      budgets: { kl: 0.05, calls: 600 },
    },
    null,
    2,
  ),
  'prompts.py': `from lab import ask\n\nREVIEW = """You review changes to documents.\n\n${asked}\n"""\n\nprint(ask(REVIEW, model="small"))\n`,
};
