// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { patternFill, type Theme } from '../../../webview/theme';
import { newPage, penOf, setTheme, settle, type Page } from './page';

let page: Page;
beforeEach(() => {
  page = newPage();
});

describe('the theme for canvases', () => {
  it('has the colours and the font of VS Code’s variables', () => {
    expect(page.theme.current).toEqual({
      ground: 'dark',
      foreground: '#010101',
      muted: '#020202',
      background: '#030303',
      border: '#040404',
      grid: '#050505',
      focus: '#060606',
      hover: { background: '#070707', foreground: '#080808', border: '#090909' },
      fontFamily: 'Test Sans',
      fontSize: 15,
      colours: {
        blue: '#0000f0',
        orange: '#f08000',
        purple: '#8000f0',
        green: '#00f000',
        red: '#f00000',
        yellow: '#f0f000',
        foreground: '#010101',
      },
    });
  });

  it('goes by a high-contrast theme’s own borders first', () => {
    setTheme({ contrastBorder: '#ffff00', contrastActiveBorder: '#ff00ff' });
    const { theme } = newPage();
    expect([theme.current.border, theme.current.grid, theme.current.focus, theme.current.hover.border]).toEqual([
      '#ffff00',
      '#ffff00',
      '#ff00ff',
      '#ffff00',
    ]);
    setTheme({ contrastBorder: '', contrastActiveBorder: '' });
  });

  it('has colours of its own where a theme leaves some out, and text that can be read where a size is none', () => {
    setTheme({ 'charts-red': '', 'charts-lines': '', 'font-size': 'large' });
    const { current } = new (page.theme.constructor as new () => Page['theme'])();
    expect([current.colours.red, current.border, current.fontSize]).toEqual(['#f14c4c', '#020202', 13]);
  });

  it('tells those who draw of every change, all of them', async () => {
    const heard: [string, Theme][] = [];
    page.theme.onChange((theme) => heard.push(['chart', theme]));
    page.theme.onChange((theme) => heard.push(['map', theme]));
    setTheme({ 'charts-blue': '#abcdef' });
    await settle();
    expect(new Set(heard.map(([who]) => who))).toEqual(new Set(['chart', 'map']));
    expect(heard.at(-1)?.[1].colours.blue).toBe('#abcdef');
    expect(page.theme.current.colours.blue).toBe('#abcdef');
    heard.length = 0;
    document.body.classList.toggle('vscode-light');
    await settle();
    expect(heard).not.toEqual([]);
  });
});

describe('the fill of an area', () => {
  const canvas = (): HTMLCanvasElement => document.createElement('canvas');

  it('is its colour where it is solid, and a square of strokes or dots in its colour elsewhere', () => {
    const pen = canvas().getContext('2d') as CanvasRenderingContext2D;
    expect(patternFill(pen, '#123456', 'solid', 1)).toBe('#123456');
    expect(patternFill(pen, '#123456', 'hatched', 1)).toMatchObject({ colour: '#123456' });
    expect(patternFill(pen, '#123456', 'dotted', 2)).toMatchObject({ colour: '#123456' });
  });

  it('is its colour too where a canvas has no patterns', () => {
    const pen = { createPattern: () => null } as unknown as CanvasRenderingContext2D;
    expect(patternFill(pen, '#123456', 'hatched', 1)).toBe('#123456');
  });

  it('has strokes that go on in the neighbouring squares', () => {
    const target = canvas();
    const squares: HTMLCanvasElement[] = [];
    const pen = {
      createPattern: (square: HTMLCanvasElement) => {
        squares.push(square);
        return { setTransform: () => undefined };
      },
    } as unknown as CanvasRenderingContext2D;
    patternFill(pen, '#123456', 'hatched', 2);
    expect(squares.map(({ width, height }) => [width, height])).toEqual([[12, 12]]);
    const lines = penOf(squares[0]);
    const from = lines.of('moveTo').map(({ args }) => args as number[]);
    const to = lines.of('lineTo').map(({ args }) => args as number[]);
    expect(from).toHaveLength(3);
    // Each is the one before it, moved by a whole square.
    expect(from.map(([x]) => x - from[0][0])).toEqual([0, 12, 24]);
    expect(to.map(([x]) => x - to[0][0])).toEqual([0, 12, 24]);
    expect(penOf(target).strokes).toEqual([]);
  });
});
