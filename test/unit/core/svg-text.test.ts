import { expect, it } from 'vitest';
import { escaped } from '../../../src/core/draw/svg';

it('is well-formed XML whatever a name has in it', () => {
  expect(escaped('m<b>&"\u0001\ud800\uffff\ttext 😀')).toBe('m&lt;b&gt;&amp;&quot;\\u{1}\\u{d800}\\u{ffff}\ttext 😀');
});
