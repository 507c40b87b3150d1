/** Elements, and the states that every view has. Whatever comes from outside becomes text, never HTML. */

/**
 * Builds an element: `el('a.link', {href, onclick}, 'text', [more])`. What is null or false is left out.
 * @param {string} tag name and classes
 * @param {Record<string, any>} [attributes] functions become listeners
 * @param {...any} children nodes, strings, numbers, arrays of them
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name);
  node.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A link to another site, or its bare text where the address is none of the web's. */
export function outside(address, text, more = {}) {
  if (!/^https?:\/\//i.test(address ?? '')) return el('span', {}, text);
  return el('a', { href: address, target: '_blank', rel: 'noopener noreferrer', ...more }, text, el('span', { 'aria-hidden': 'true' }, ' ↗'));
}

/** Says something to those who listen to the page. */
export function say(words) {
  document.getElementById('status').textContent = words;
}

/** What failed, in the service's words, and a way to try again. */
export function failure(error, again) {
  return el('div.notice.bad', { role: 'alert' }, el('p', {}, error.message), el('button', { type: 'button', onclick: again }, 'Повторить'));
}

/** What stands in for content that is on its way; as high as that, so that nothing jumps. */
export function skeleton(...heights) {
  return el('div.skeleton', { 'aria-hidden': 'true' }, heights.map((height) => el('div', { style: `height:${height}px` })));
}

/** Acts on what a field holds when it is whole: a date changes at each key that is pressed in it. */
export function settled(field, act) {
  clearTimeout(waiting);
  waiting = setTimeout(() => field.offsetParent && field.validity.valid && act(), field.type === 'date' ? 600 : 0);
}
let waiting = 0;

/** A field for a date; it is empty or a day of this century. */
export const dateField = (attributes) => el('input', { type: 'date', required: true, min: '2000-01-01', max: '2999-12-31', ...attributes });

/** Brings a node into sight, hands it the focus and lets it flash. */
export function reveal(node) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  node.focus({ preventScroll: true });
  node.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'center' });
  node.classList.remove('flash');
  requestAnimationFrame(() => node.classList.add('flash'));
}
