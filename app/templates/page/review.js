/** A person's word on a report, beside the machine's. */

import { ask } from './api.js';
import { el, say } from './dom.js';
import { CRITERIA, gradesOf, moment } from './words.js';

/** The form with what has been said so far; `done` draws the report anew when the service has taken it. */
export function reviewForm(report, done) {
  const { review } = report;
  const error = el('p.wrong', { role: 'alert' });
  const send = async (method, body) => {
    error.textContent = '';
    try {
      await ask(`/reports/${report.id}/review`, { method, body });
      say('Проверка сохранена');
      await done();
      document.querySelector('.review summary')?.focus();
    } catch (failed) {
      error.textContent = failed.message;
    }
  };
  return el('details.criterion.review', { open: review !== null },
    el('summary', {}, el('span', {}, 'Проверка человеком'), el('span.soft.small', {}, review ? [review.reviewer, moment(review.reviewed_at)].filter(Boolean).join(', ') : 'нет')),
    el('form', { onsubmit: (event) => {
      event.preventDefault();
      send('PUT', wordOf(event.target));
    } },
    el('div.fields', {}, Object.keys(CRITERIA).map((name) => choice(name, report))),
    el('label.field', {}, el('span', {}, 'Пояснение'), el('textarea', { name: 'comment', rows: '3', maxlength: '10000' }, review?.comment ?? '')),
    el('label.field', {}, el('span', {}, 'Кто проверил'), el('input', { name: 'reviewer', maxlength: '200', value: review?.reviewer })),
    error,
    el('div.steps', {}, el('button', {}, 'Сохранить'), review && el('button.quiet', { type: 'button', onclick: () => send('DELETE') }, 'Снять проверку'))));
}

function choice(name, { review, ...report }) {
  const given = review?.given.includes(name) ? review.grades[name] : '';
  return el('label.field', {}, el('span', {}, `${CRITERIA[name]}: ${report[name]}`),
    el('select', { name }, el('option', { value: '' }, 'как у модели'), gradesOf(name).map((grade) => el('option', { value: grade, selected: grade === given }, grade))));
}

function wordOf(form) {
  const said = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
  const { comment, reviewer, ...grades } = said;
  return { grades, ...(comment && { comment }), ...(reviewer && { reviewer }) };
}
