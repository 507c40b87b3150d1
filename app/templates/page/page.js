/** The page's frame: the key, the sections, and the address after `#` that tells which one is shown. */

import { dropKey, hasKey, keepKey, read } from './api.js';
import { showChat } from './chat.js';
import { showDay } from './day.js';
import { showLabels } from './labels.js';
import { showReports } from './reports.js';

const $ = (id) => document.getElementById(id);
const VIEWS = { day: showDay, reports: showReports, labels: showLabels, chat: showChat };
const scrolled = new Map();
let shown = null;
let running = new AbortController();

/** The view and its parameters: `#chat=u2i-1&report=5`, `#reports&tonality_grade=Низкая`, `#day=2026-11-25`. */
function place() {
  const query = new URLSearchParams(location.hash.slice(1));
  return { view: Object.keys(VIEWS).find((name) => query.has(name)) ?? 'day', query };
}

async function show() {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const { view, query } = place();
  const before = shown;
  if (before) scrolled.set(before.hash, { top: scrollY, focus: document.activeElement });
  const open = hasKey();
  shown = open ? { view, hash: location.hash, from: before?.hash } : null;
  lay(open ? view : 'entry');
  if (!open) return $('key').focus();
  const root = $(`${view}-view`);
  const held = root.contains(document.activeElement) && named(document.activeElement);
  await VIEWS[view](root, query, signal);
  if (!signal.aborted && before && before.hash !== location.hash) settle(root, before.view === view && held);
  return undefined;
}

function lay(view) {
  document.body.dataset.view = view;
  $('entry').hidden = view !== 'entry';
  $('nav').hidden = $('leave').hidden = view === 'entry';
  for (const name of Object.keys(VIEWS)) $(`${name}-view`).hidden = name !== view;
  for (const link of $('nav').children) link.setAttribute('aria-current', link.hash === `#${view}` ? 'page' : 'false');
}

/** Puts sight and focus where they were here before, on the same field of a view that was drawn anew, or at the view's beginning. */
function settle(root, held) {
  const field = held && root.querySelector(held);
  if (field && !field.disabled) return field.focus({ preventScroll: true });
  const back = scrolled.get(location.hash);
  scrollTo(0, back?.top ?? 0);
  return (back?.focus?.isConnected ? back.focus : root.querySelector('h1'))?.focus({ preventScroll: true });
}

/** A selector that finds a field again in a view that is drawn anew. */
function named(node) {
  const names = ['id', 'name', 'aria-label', ...(node.type === 'checkbox' ? ['value'] : [])].filter((name) => node.getAttribute(name));
  return names.map((name) => `[${name}="${CSS.escape(node.getAttribute(name))}"]`).join('');
}

function leave(words) {
  dropKey();
  for (const name of Object.keys(VIEWS)) $(`${name}-view`).replaceChildren();
  scrolled.clear();
  document.title = 'Качество чатов Авито';
  $('key').value = '';
  show();
  $('key-error').textContent = words;
}

async function enter(event) {
  event.preventDefault();
  const key = $('key').value.trim();
  if (!key) return;
  $('key-error').textContent = '';
  keepKey(key);
  try {
    await read('/reports/daily', { params: new URLSearchParams({ limit: '1' }) });
  } catch (error) {
    if (error.status !== 401) {
      dropKey();
      $('key-error').textContent = error.message;
    }
    return;
  }
  $('key').value = '';
  show();
}

function closeChat() {
  if (shown?.from) history.back();
  else location.hash = '#reports';
}

history.scrollRestoration = 'manual';
addEventListener('hashchange', show);
addEventListener('refused', () => leave(shown ? 'Ключ больше не подходит: введите новый.' : 'Ключ не подошёл: проверьте, весь ли он скопирован.'));
addEventListener('close-chat', closeChat);
addEventListener('keydown', (event) => {
  const typing = event.target.closest?.('input, select, textarea');
  if (event.key === 'Escape' && document.body.dataset.view === 'chat' && !typing) closeChat();
});
$('entry').addEventListener('submit', enter);
$('leave').addEventListener('click', () => leave(''));
show();
