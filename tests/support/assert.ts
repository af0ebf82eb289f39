import type { Difference } from '../../generators/model.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import { type MatcherResult, matchers, type StoredResult } from './matchers.ts';
import type { Stored } from './stored.ts';
import { Violation } from './violation.ts';

type Matchers = typeof matchers;
type Arguments<Matcher> = Matcher extends (actual: never, ...rest: infer Rest) => unknown ? Rest : never;
type Returned<Matcher> = Matcher extends (...all: never[]) => Promise<unknown> ? Promise<Answer> : Answer;
/** The matchers of `expect` that take this. Each returns the answer that it looked at, and throws Violation. */
type Assertions<Actual> = {
  [Name in keyof Matchers as Parameters<Matchers[Name]>[0] extends Actual ? Name : never]: (
    ...rest: Arguments<Matchers[Name]>
  ) => Returned<Matchers[Name]>;
};

/**
 * What `expect` is to a check, `assert` is to a case of a generated check: Playwright records every expectation as a step, and there would
 * be thousands. `requirement` is what fails, or returns that for the first difference; `what` says more about the request.
 */
export function assert<Actual extends Answer | Stored>(
  actual: Actual,
  requirement: RequirementId | ((difference: Difference) => RequirementId),
  what = '',
): Assertions<Actual> {
  const check = (result: MatcherResult | StoredResult): Answer => {
    if (!result.pass) throw new Violation(idOf(result, requirement), result.headline + what, result.lines, result.answer);
    return result.answer;
  };
  return new Proxy({} as Assertions<Actual>, {
    get: (_target, name) => {
      const matcher = matchers[name as keyof Matchers] as (...all: unknown[]) => MatcherResult | Promise<StoredResult>;
      return (...rest: unknown[]) => {
        const result = matcher(actual, ...rest);
        return result instanceof Promise ? result.then(check) : check(result);
      };
    },
  });
}

function idOf(result: MatcherResult | StoredResult, requirement: Parameters<typeof assert>[1]): RequirementId {
  if (result.requirement) return result.requirement;
  if (typeof requirement === 'string' && !('differences' in result)) return requirement;
  const [first] = ('differences' in result && result.differences) || [];
  // A customer that cannot be read.
  if (!first) return 'UPD-7';
  return typeof requirement === 'string' ? requirement : requirement(first);
}
