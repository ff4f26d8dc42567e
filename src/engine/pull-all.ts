/** `pull -a`: every tag that a repository has, one after another. */
import { TsrunError } from '../errors.js';
import { familiarRepository, parseReference, repositoryOf } from '../intent/reference.js';
import type { PullOptions, PullResult } from '../types/engine.js';
import type { ImageContext } from './image-context.js';
import { pullImage } from './pull.js';

/** @see Engine.pullAll */
export async function pullAllTags(
  context: ImageContext,
  text: string,
  options: PullOptions = {},
): Promise<PullResult[]> {
  const reference = parseReference(text);
  if (reference.tag !== undefined || reference.digest !== undefined)
    throw new TsrunError('USAGE', `tag can't be used with --all-tags/-a`, {
      step: 'image.pull',
      subject: text,
    });
  const { RegistryClient } = await import('../registry/client.js');
  const client = await RegistryClient.open(reference, context);
  let tags: string[];
  try {
    tags = await client.tags(options.signal);
  } catch (cause) {
    if (!options.signal?.aborted) throw cause;
    throw new TsrunError('CANCELLED', 'pull canceled', { step: 'image.pull', subject: text, cause });
  } finally {
    client.close();
  }
  if (tags.length === 0)
    throw new TsrunError('NOT_FOUND', `repository ${familiarRepository(reference)} has no tags`, {
      step: 'image.pull',
      subject: text,
    });
  const results: PullResult[] = [];
  for (const tag of tags)
    results.push(await pullImage(context, `${repositoryOf(reference)}:${tag}`, options));
  return results;
}
