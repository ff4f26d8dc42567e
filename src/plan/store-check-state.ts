/** The part of the check that is about containers and volumes: what users wrote there is never taken away. */
import type { ContainerFacts, Judgement, Remedy, VolumeFacts } from './store-check-facts.js';

/** @param present keys of the layers in the store */
export function judgeContainer(container: ContainerFacts, present: ReadonlySet<string>): Judgement[] {
  const { id, name, alive, image } = container;
  const damage = (problem: string, more: { remedy?: Remedy; hint?: string }): Judgement => ({
    kind: 'container',
    subject: id,
    problem,
    affects: [name],
    ...more,
  });
  const whenStopped = (remedy: Remedy) => (alive ? { hint: `stop ${name}, then repair` } : { remedy });
  if (container.torn.includes('container.json'))
    return [damage('its record cannot be read', whenStopped({ do: 'quarantine-container', id }))];
  const found = container.torn.map((file) =>
    ['config.json', 'launch.json'].includes(file)
      ? damage(`${file} cannot be read: it does not start`, {
          hint: `copy or commit what you need of it, then: tsrun rm ${name}`,
        })
      : damage(`${file} cannot be read`, whenStopped({ do: 'quarantine-file', id, file })),
  );
  if (container.missing.includes('lock'))
    found.push(damage('its lock file is missing', { remedy: { do: 'make-lock', id } }));
  if (container.missing.includes('upper'))
    found.push(damage('its writable part is missing', { hint: `tsrun rm ${name}` }));
  const gone = container.layers.filter((key) => !present.has(key));
  if (gone.length > 0)
    found.push(
      damage(`${gone.length} of its layers are missing: ${gone.map((key) => key.slice(0, 12)).join(', ')}`, {
        hint: `pull or load ${image ?? 'its image'} again`,
      }),
    );
  if (container.unnamed)
    found.push(damage('its name is not linked', { remedy: { do: 'name-container', id } }));
  if (container.resists !== undefined)
    found.push(damage(`what its last run left is not released: ${container.resists}`, {}));
  return found;
}

export function judgeVolume({ name, problem }: VolumeFacts): Judgement[] {
  if (problem === undefined) return [];
  const noData = problem === 'no data';
  const words = noData
    ? 'its data directory is missing'
    : `its record ${problem === 'no record' ? 'is missing' : 'cannot be read'}`;
  return [
    {
      kind: 'volume',
      subject: name,
      problem: words,
      affects: [],
      remedy: noData ? { do: 'make-volume-data', name } : { do: 'write-volume-record', name },
      hint: noData
        ? 'what was in it is lost'
        : 'its labels and options are lost; a volume made with options has to be made again',
    },
  ];
}

/** What a remedy does, in words: "unpacks it again from its blob". */
export function remedyText(remedy: Remedy): string {
  switch (remedy.do) {
    case 'rebuild-index':
      return 'keeps what can be read of it, lists every other image without a name, and puts the old file into quarantine/';
    case 'rebuild-init-layer':
      return 'makes it anew';
    case 'remove-blob':
      return 'removes it';
    case 'repack-blob':
      return 'packs it again from its unpacked layer';
    case 'rebuild-layer':
      return 'unpacks it again from its blob';
    case 'quarantine-layer':
    case 'quarantine-container':
    case 'quarantine-file':
      return 'moves it into quarantine/';
    case 'drop-image':
      return 'takes its names away';
    case 'name-container':
      return 'links it again';
    case 'make-lock':
      return 'makes it anew';
    case 'write-volume-record':
      return 'writes a new one, and keeps its data';
    case 'make-volume-data':
      return 'makes an empty one';
  }
}
