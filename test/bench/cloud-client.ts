/** All that the daemon takes from cloud/, directly or by the modules that name it. */
export * from '../../cloud/instance/limits.ts'
export * from '../../cloud/vswitch/vswitches.ts'
export * from '../../daemon/config/cloud-access.ts'
