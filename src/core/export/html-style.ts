/**
 * The style of an HTML report: light and dark by the reader's system, and by the editor's theme where it is shown in one.
 *
 * Pictures have a light ground of their own.
 */
export const reportStyle = `
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328; --muted: #59636e; --line: #d0d4da; --shade: #f3f4f6; }
@media (prefers-color-scheme: dark) { :root { --ground: #1b1f2a; --ink: #e6e8ec; --muted: #a6afba; --line: #414856; --shade: #262b38; } }
body { margin: 0 auto; max-width: 72rem; padding: 1rem 1.5rem 3rem; font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; background: var(--vscode-editor-background, var(--ground)); color: var(--vscode-editor-foreground, var(--ink)); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.scroller { overflow-x: auto; }
table { border-collapse: collapse; }
caption { text-align: start; color: var(--vscode-descriptionForeground, var(--muted)); padding-block-end: 0.4rem; }
th, td { border: 1px solid var(--vscode-editorWidget-border, var(--line)); padding: 0.25rem 0.6rem; text-align: start; vertical-align: top; }
section td { overflow-wrap: anywhere; }
th { font-weight: 600; } thead th { background: var(--vscode-editorWidget-background, var(--shade)); white-space: nowrap; }
.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
figure { margin: 1.2rem 0; overflow-x: auto; } svg { max-width: 100%; height: auto; }
@media print { figure, tr { break-inside: avoid; } }
`;
