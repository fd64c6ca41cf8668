/** The image that every sandbox runs, made here: no registry is asked. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { arch } from 'node:process'
import { check } from '../cluster/process.ts'

/** Fully qualified, or containerd would look for it in a registry. */
export const PAUSE_IMAGE = 'localhost/pause:1'

/** Does nothing until it is told to end. As process 1 of the sandbox it must take the children of others to rest. */
const PAUSE_C = `
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal) { _exit(signal == SIGTERM || signal == SIGINT ? 0 : 1); }
static void rest(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0) {} }

int main(void) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  signal(SIGCHLD, rest);
  for (;;) pause();
}
`

/** Name of this machine's processor in image configurations (GOARCH of the OCI image specification). */
const ARCHITECTURE = arch === 'x64' ? 'amd64' : arch

/** Writes the image as a docker archive, the format that `ctr images import` reads, and hands back its path. */
export async function makePauseImage(directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true })
  const file = (name: string) => join(directory, name)
  writeFileSync(file('pause.c'), PAUSE_C)
  await check(['gcc', '-Os', '-static', '-s', '-o', file('pause'), file('pause.c')])
  const tar = (archive: string, ...members: string[]) =>
    check(['tar', '-C', directory, '--owner=0', '--group=0', '--mtime=@0', '-cf', file(archive), ...members])
  await tar('layer.tar', 'pause')
  const diffId = createHash('sha256')
    .update(readFileSync(file('layer.tar')))
    .digest('hex')
  const config = {
    architecture: ARCHITECTURE,
    os: 'linux',
    config: { Entrypoint: ['/pause'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
  }
  writeFileSync(file('config.json'), JSON.stringify(config))
  const manifest = [{ Config: 'config.json', RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }]
  writeFileSync(file('manifest.json'), JSON.stringify(manifest))
  await tar('image.tar', 'manifest.json', 'config.json', 'layer.tar')
  return file('image.tar')
}
