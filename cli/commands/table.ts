/** All verbs: names and one line each. Their modules are loaded when they are used. */
import type { AnyCommand } from '../command.js';

export interface Entry {
  /** As typed: "ps", "container ls". The first is the verb's name in lists and in "Run '…' for more information". */
  names: readonly string[];
  summary: string;
  /** Shown first in `tsrun --help`. */
  common?: boolean;
  load(): Promise<{ command: AnyCommand }>;
}

export const GROUPS: Record<string, string> = {
  container: 'Manage containers',
  healthcheck: 'Manage health checks of containers',
  image: 'Manage images',
  manifest: 'Manage image manifests in registries',
  system: 'Manage tsrun',
  volume: 'Manage volumes',
};

const container = (name: string) => [name, `container ${name}`];
const image = (name: string) => [name, `image ${name}`];

export const COMMANDS: readonly Entry[] = [
  {
    names: container('run'),
    summary: 'Create and run a new container from an image',
    common: true,
    load: () => import('./run.js'),
  },
  {
    names: ['ps', 'container ls', 'container list', 'container ps'],
    summary: 'List containers',
    common: true,
    load: () => import('./ps.js'),
  },
  {
    names: container('exec'),
    summary: 'Execute a command in a running container',
    common: true,
    load: () => import('./exec.js'),
  },
  {
    names: image('pull'),
    summary: 'Download an image from a registry',
    common: true,
    load: () => import('./pull.js'),
  },
  {
    names: image('push'),
    summary: 'Upload an image to a registry',
    common: true,
    load: () => import('./push.js'),
  },
  {
    names: ['images', 'image ls', 'image list'],
    summary: 'List images',
    common: true,
    load: () => import('./images.js'),
  },
  {
    names: container('commit'),
    summary: "Create a new image from a container's changes",
    common: true,
    load: () => import('./commit.js'),
  },
  {
    names: ['version'],
    summary: 'Show the version information',
    common: true,
    load: () => import('./version.js'),
  },
  {
    names: ['info', 'system info'],
    summary: 'Display system-wide information',
    common: true,
    load: () => import('./info.js'),
  },
  {
    names: container('cp'),
    summary: 'Copy files/folders between a container and the local filesystem',
    load: () => import('./cp.js'),
  },
  { names: container('create'), summary: 'Create a new container', load: () => import('./create.js') },
  {
    names: container('diff'),
    summary: "Inspect changes to files or directories on a container's filesystem",
    load: () => import('./diff.js'),
  },
  {
    names: ['events', 'system events'],
    summary: 'Get real time events from the engine',
    load: () => import('./events.js'),
  },
  {
    names: container('export'),
    summary: "Export a container's filesystem as a tar archive",
    load: () => import('./export.js'),
  },
  {
    names: ['image explore'],
    summary: "Look into an image's layers: what each added, changed, removed and wastes",
    load: () => import('./image-explore.js'),
  },
  { names: image('history'), summary: 'Show the history of an image', load: () => import('./history.js') },
  {
    names: image('import'),
    summary: 'Import the contents from a tarball to create a filesystem image',
    load: () => import('./import.js'),
  },
  {
    names: ['inspect'],
    summary: 'Return low-level information on containers, images and volumes',
    load: () => import('./inspect.js'),
  },
  {
    names: ['container inspect'],
    summary: 'Display detailed information on one or more containers',
    load: () => import('./inspect-container.js'),
  },
  {
    names: ['image inspect'],
    summary: 'Display detailed information on one or more images',
    load: () => import('./inspect-image.js'),
  },
  {
    names: container('kill'),
    summary: 'Kill one or more running containers',
    load: () => import('./kill.js'),
  },
  {
    names: image('load'),
    summary: 'Load an image from a tar archive or STDIN',
    load: () => import('./load.js'),
  },
  { names: ['login'], summary: 'Authenticate to a registry', load: () => import('./login.js') },
  { names: ['logout'], summary: 'Log out from a registry', load: () => import('./logout.js') },
  { names: container('logs'), summary: 'Fetch the logs of a container', load: () => import('./logs.js') },
  {
    names: ['rm', 'container rm', 'container remove'],
    summary: 'Remove one or more containers',
    load: () => import('./rm.js'),
  },
  {
    names: ['rmi', 'image rm', 'image remove'],
    summary: 'Remove one or more images',
    load: () => import('./rmi.js'),
  },
  {
    names: image('save'),
    summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
    load: () => import('./save.js'),
  },
  {
    names: container('start'),
    summary: 'Start one or more stopped containers',
    load: () => import('./start.js'),
  },
  {
    names: ['system boot'],
    summary: 'Start containers by their restart policies, after a reboot',
    load: () => import('./system-boot.js'),
  },
  {
    names: container('stats'),
    summary: 'Display a live stream of container resource usage statistics',
    load: () => import('./stats.js'),
  },
  {
    names: image('tag'),
    summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    load: () => import('./tag.js'),
  },
  {
    names: container('wait'),
    summary: 'Block until one or more containers stop, then print their exit codes',
    load: () => import('./wait.js'),
  },
  {
    names: ['container prune'],
    summary: 'Remove all stopped containers',
    load: () => import('./container-prune.js'),
  },
  {
    names: ['image exists'],
    summary: 'Exit with 0 if an image exists, else with 1',
    load: () => import('./image-exists.js'),
  },
  {
    names: ['image tree'],
    summary: 'Show the layers of an image as a tree',
    load: () => import('./image-tree.js'),
  },
  {
    names: ['manifest inspect'],
    summary: 'Display an image manifest, or a list of them, as a registry has it',
    load: () => import('./manifest-inspect.js'),
  },
  {
    names: image('untag'),
    summary: 'Remove names from an image, without removing the image',
    load: () => import('./untag.js'),
  },
  {
    names: ['image prune'],
    summary: 'Remove unused images',
    load: () => import('./image-prune.js'),
  },
  {
    names: ['system check'],
    summary: 'Find damage in the store, and mend it',
    load: () => import('./system-check.js'),
  },
  { names: ['system df'], summary: 'Show disk usage', load: () => import('./system-df.js') },
  { names: ['system prune'], summary: 'Remove unused data', load: () => import('./system-prune.js') },
  {
    names: ['completion'],
    summary: 'Print the completion script of a shell',
    load: () => import('./completion.js'),
  },
  { names: ['volume create'], summary: 'Create a volume', load: () => import('./volume-create.js') },
  {
    names: ['volume inspect'],
    summary: 'Display detailed information on one or more volumes',
    load: () => import('./volume-inspect.js'),
  },
  { names: ['volume ls', 'volume list'], summary: 'List volumes', load: () => import('./volume-ls.js') },
  {
    names: ['volume prune'],
    summary: 'Remove unused local volumes',
    load: () => import('./volume-prune.js'),
  },
  {
    names: ['volume rm', 'volume remove'],
    summary: 'Remove one or more volumes',
    load: () => import('./volume-rm.js'),
  },
  {
    names: container('attach'),
    summary: 'Attach local standard input, output, and error streams to a running container',
    load: () => import('./attach.js'),
  },
  {
    names: ['container exists'],
    summary: 'Exit with 0 if a container exists, else with 1',
    load: () => import('./container-exists.js'),
  },
  {
    names: ['healthcheck run'],
    summary: 'Run the health check of a container once: exit 0 if it is healthy, 1 if not',
    load: () => import('./healthcheck-run.js'),
  },
  {
    names: container('pause'),
    summary: 'Pause all processes within one or more containers',
    load: () => import('./pause.js'),
  },
  {
    names: container('port'),
    summary: 'List port mappings or a specific mapping for the container',
    load: () => import('./port.js'),
  },
  { names: container('rename'), summary: 'Rename a container', load: () => import('./rename.js') },
  {
    names: container('restart'),
    summary: 'Restart one or more containers',
    load: () => import('./restart.js'),
  },
  {
    names: container('stop'),
    summary: 'Stop one or more running containers',
    load: () => import('./stop.js'),
  },
  {
    names: container('top'),
    summary: 'Display the running processes of a container',
    load: () => import('./top.js'),
  },
  {
    names: container('update'),
    summary: 'Update configuration of one or more containers',
    load: () => import('./update.js'),
  },
  {
    names: container('unpause'),
    summary: 'Unpause all processes within one or more containers',
    load: () => import('./unpause.js'),
  },
];

export interface Found {
  entry: Entry;
  /** The verb as typed, by its full name: "container ls". */
  name: string;
  rest: string[];
}

/** The verb that `argv` begins with, if it is one. */
export function findCommand(
  argv: readonly string[],
  commands: readonly Entry[] = COMMANDS,
): Found | undefined {
  const [first = '', second = ''] = argv;
  const words = first in GROUPS ? 2 : 1;
  const name = words === 2 ? `${first} ${second}` : first;
  const entry = commands.find((candidate) => candidate.names.includes(name));
  return entry && { entry, name, rest: argv.slice(words) };
}
