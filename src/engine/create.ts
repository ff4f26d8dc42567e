/** Steps 1 to 3 of a run: the image, the plan, the record. Nothing of the kernel is acquired here. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { TsrunError } from '../errors.js';
import { findDevices } from '../host/devices.js';
import { probeHost } from '../host/probe.js';
import { randomName } from '../intent/name.js';
import { parseRun, type RunIntent } from '../intent/run.js';
import { logAttributes } from '../plan/log-attributes.js';
import { planRun, type RunPlan } from '../plan/run.js';
import { specText } from '../plan/spec-text.js';
import {
  type ContainerRecord,
  fillContainer,
  publishContainer,
  RECORD_VERSION,
} from '../store/containers.js';
import { withStorageLock } from '../store/locks.js';
import { nameConflict, ownerOfName } from '../store/names.js';
import { StagingDir } from '../store/staging.js';
import { anonymousVolumeName, ensureVolume, volumeData, volumeOptions } from '../store/volumes.js';
import type { Created, RunOptions } from '../types/engine.js';
import { type ContainerId, parseContainerId } from '../types/ids.js';
import { ensureBindSource, requireBindSource } from './bind-source.js';
import { withCidFile } from './cid-file.js';
import { timestamp } from './clock.js';
import type { EngineContext } from './context.js';
import { ensureImage, foreignWarnings } from './ensure-image.js';
import { imageSize } from './images.js';
import { eventAttributes, recordContainerEvent } from './journal.js';
import { contentMark } from './name-files.js';
import { peerSource } from './peers.js';
import { readOptionFile } from './read-file.js';
import { sweepNames } from './reconcile.js';
import { remove } from './remove.js';
import { type ResolvedImage, resolveImage } from './resolve-image.js';

const NAME_ATTEMPTS = 20;

/** Makes a container that can be started. @throws TsrunError with exit code 125 in every case. */
export async function create(ctx: EngineContext, options: RunOptions): Promise<Created> {
  const intent = parseRun(options, { env: ctx.env, cwd: process.cwd(), readFile: readOptionFile });
  return withCidFile(intent.cidFile, () => createFrom(ctx, intent, options));
}

async function createFrom(ctx: EngineContext, intent: RunIntent, options: RunOptions): Promise<Created> {
  if (intent.name !== undefined) await refuseTakenName(ctx, intent.name);
  const id = parseContainerId(randomBytes(32).toString('hex'));
  const staging = await StagingDir.create(ctx);
  try {
    const image = await obtainImage(ctx, staging, id, intent, options);
    const plan = makePlan(ctx, intent, image, id);
    plan.requiredSources.forEach(requireBindSource);
    const warnings = [
      ...foreignWarnings(image.config, intent),
      ...plan.warnings,
      ...plan.bindSources.flatMap(ensureBindSource),
    ];
    await publish(ctx, staging, recordOf(ctx, intent, image, plan, id), plan, intent);
    await makeVolumes(ctx, id, plan);
    return { id, warnings };
  } finally {
    await staging.discard();
  }
}

const IMAGE_ATTEMPTS = 3;

/** Between its pull and its lease somebody may remove it: then it is brought here again. */
async function obtainImage(
  ctx: EngineContext,
  staging: StagingDir,
  id: ContainerId,
  intent: RunIntent,
  options: RunOptions,
): Promise<ResolvedImage> {
  for (let attempt = 1; ; attempt += 1) {
    await ensureImage(ctx, intent, options);
    try {
      return await leaseImage(ctx, staging, id, intent.image);
    } catch (error) {
      const isGone = error instanceof TsrunError && error.code === 'NOT_FOUND';
      if (!isGone || intent.pull === 'never' || attempt === IMAGE_ATTEMPTS) throw error;
    }
  }
}

/** The usual case of a conflict is told before an image is pulled; the link decides in the end. */
async function refuseTakenName(ctx: EngineContext, name: string): Promise<void> {
  const owner = ownerOfName(ctx.paths, name);
  if (owner === undefined) return;
  await sweepNames(ctx);
  if (ownerOfName(ctx.paths, name) === owner) throw nameConflict(name, owner);
}

/** From here until the record is published, no `rmi` takes the layers away. */
async function leaseImage(
  ctx: EngineContext,
  staging: StagingDir,
  id: ContainerId,
  reference: string,
): Promise<ResolvedImage> {
  await staging.lease([id, ...layerKeys(resolveImage(ctx.paths, reference))]);
  return resolveImage(ctx.paths, reference);
}

/** Bottom first. */
function layerKeys(image: ResolvedImage): string[] {
  return image.layerDirs.map((dir) => basename(dir)).reverse();
}

function makePlan(ctx: EngineContext, intent: RunIntent, image: ResolvedImage, id: ContainerId): RunPlan {
  return planRun({
    intent,
    image: image.config.config,
    facts: probeHost(),
    id,
    storeTag: ctx.storeTag,
    rootfs: { layers: [...image.layerDirs].reverse(), initLayer: ctx.paths.initLayer },
    files: ctx.paths.container(id),
    nameFile: ctx.paths.name(intent.name ?? proposal(0)),
    volumes: {
      path: (name) => volumeData(ctx.paths, name),
      newName: anonymousVolumeName,
      options: (name) => volumeOptions(ctx.paths, name),
    },
    peers: peerSource(ctx),
    devices: { find: findDevices },
  });
}

/**
 * After the record, so that no volume is ever without an owner: if we are killed in between, the start makes it. If it
 * cannot be made, the container is taken back.
 */
async function makeVolumes(ctx: EngineContext, id: ContainerId, plan: RunPlan): Promise<void> {
  const now = timestamp();
  try {
    for (const volume of plan.volumes) await ensureVolume(ctx, { ...volume, now });
  } catch (error) {
    await remove(ctx, id, { volumes: true });
    throw error;
  }
}

function recordOf(
  ctx: EngineContext,
  intent: RunIntent,
  image: ResolvedImage,
  plan: RunPlan,
  id: ContainerId,
): ContainerRecord {
  return {
    version: RECORD_VERSION,
    id,
    name: basename(plan.launch.nameFile),
    created: timestamp(),
    image: { reference: intent.image, id: image.id },
    path: plan.path,
    args: plan.args,
    config: plan.config,
    hostConfig: plan.hostConfig,
    mounts: plan.mounts,
    layers: layerKeys(image),
    diffIds: image.config.rootfs.diff_ids,
    imageSize: imageSize(ctx.paths, image),
    network: intent.network,
    autoRemove: intent.rm,
    anonymousVolumes: plan.volumes.filter(({ anonymous }) => anonymous).map(({ name }) => name),
  };
}

function proposal(attempt: number): string {
  return randomName(Math.random, attempt);
}

/** Writes the record and links its name; a name that we chose ourselves gives way to one that is taken. */
async function publish(
  ctx: EngineContext,
  staging: StagingDir,
  record: ContainerRecord,
  plan: RunPlan,
  intent: RunIntent,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const launch = {
      ...plan.launch,
      log: { ...plan.launch.log, attributes: logAttributes(intent.log.attributes, record) },
      nameFile: ctx.paths.name(record.name),
      // With its record, not only its content.
      anonymousVolumes: record.anonymousVolumes.map((name) => ctx.paths.volume(name)),
      events: ctx.paths.events,
      eventAttributes: eventAttributes(record),
    };
    writeStaged(staging, record, { ...plan, launch });
    try {
      // Under the lock of who looks which volumes are used by nobody (volumes.ts).
      await withStorageLock(ctx.paths, ctx.native, 'shared', () =>
        publishContainer(ctx.paths, staging.dir, record, !record.autoRemove),
      );
      recordContainerEvent(ctx, record, 'create');
      return;
    } catch (error) {
      const taken = error instanceof TsrunError && error.code === 'CONFLICT';
      if (!taken || intent.name !== undefined || attempt === NAME_ATTEMPTS) throw error;
      record = { ...record, name: proposal(attempt) };
    }
  }
}

function writeStaged(staging: StagingDir, record: ContainerRecord, plan: RunPlan): void {
  const files = {
    config: specText(plan.spec),
    launch: JSON.stringify(plan.launch),
    ...plan.files,
    resolvConfMark: contentMark(plan.files.resolvConf),
  };
  fillContainer(staging.dir, { record, files }, !record.autoRemove);
}
