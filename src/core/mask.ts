import type { CallRecord } from "./call.ts";
import { maskPhone, mentions, withoutNumbers } from "./phone.ts";
import type { TaskRecord } from "./task.ts";

/*
 * What whoever may not see personal data gets instead (`see_personal` in `access.ts`): numbers keep
 * their country code and last two digits; values of contexts, what was said and where it can be
 * heard are withheld. Times, outcomes and costs stay. The API shows no task and no call but through
 * these two.
 */

/** A task as somebody may see it: whole, or without what is personal. */
export function taskFor(seesPersonal: boolean, task: TaskRecord): TaskRecord {
  if (seesPersonal) return task;
  const { phone, externalId } = task;
  return {
    ...task,
    phone: maskPhone(phone),
    context: Object.fromEntries(Object.keys(task.context).map((key) => [key, null])),
    consent: null,
    externalId:
      externalId !== null && mentions(externalId, phone) ? withoutNumbers(externalId) : externalId,
  };
}

/** A call as somebody may see it: whole, or without what is personal. */
export function callFor(seesPersonal: boolean, call: CallRecord): CallRecord {
  if (seesPersonal) return call;
  return {
    ...call,
    to: maskPhone(call.to),
    word: call.word === null ? null : withoutNumbers(call.word),
    recordingUrl: null,
    transcript: null,
    analysis: null,
  };
}
