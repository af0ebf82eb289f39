import type { TestDetails } from '@playwright/test';
import { quote, requirementOf } from '../../schemas/catalogue.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';

/**
 * What a check says of itself: the requirements that fail with it, by id. Each is a tag (`--grep @NULL-1`) and, in Allure, a story.
 * Throws if an id is not in the catalogue.
 */
export function requirement(...ids: [RequirementId, ...RequirementId[]]): TestDetails {
  const rows = ids.map(requirementOf);
  const must = rows.some(({ level }) => level === 'MUST');
  return {
    tag: ids.map((id) => `@${id}`),
    annotation: [
      { type: 'allure.label.epic', description: 'POST /customers' },
      { type: 'allure.label.feature', description: rows[0]?.area ?? '' },
      ...rows.map(({ id, statement }) => ({ type: 'allure.label.story', description: `${id} ${statement}` })),
      { type: 'allure.label.severity', description: must ? 'critical' : 'minor' },
      {
        type: 'description',
        description: rows.map((row) => `**${row.id}** (${row.level}) ${row.statement}\n\n> ${quote(row)}`).join('\n\n'),
      },
    ],
  };
}

/** The tag of a check whose cases are generated. */
export const GENERATED = '@generated';

/** The details of a generated check: any of these requirements may fail with it, each by itself. */
export function generatedCheck(...ids: [RequirementId, ...RequirementId[]]): TestDetails {
  const details = requirement(...ids);
  return { ...details, tag: [...[details.tag ?? []].flat(), GENERATED] };
}
