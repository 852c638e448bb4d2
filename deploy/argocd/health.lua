-- Health of netgw's objects for Argo CD, from the conditions alone. The first that fits; the same for every kind.
-- Only the base library is used, for Argo CD opens hardly any other. What each reason means: docs/conditions.md.
local status = obj.status or {}
local policies = status.policies or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready or {}
local synced = conditions.Synced or {}

local overdue = {SetupOverdue = true, DeletionOverdue = true}
local awaited = {
  ParentNotFound = true, ParentNotCreated = true, ParentDeleting = true, SecretNotFound = true, SecretKeyNotFound = true,
}
local coming = {SettingUp = true, PeerNeverConnected = true}

local function health(word, condition)
  local message = condition.message or ""
  if condition.reason then
    message = condition.reason .. ": " .. message
  end
  return {status = word, message = message}
end

if status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "netgw has not looked at this version of the spec yet"}
end

if synced.reason == "Paused" then
  return health("Suspended", synced)
end
if ready.reason == "GatewayStopped" then
  return health("Suspended", ready)
end
if policies.managementPolicy == "Observe" and #(status.drift or {}) > 0 then
  return {status = "Suspended", message = "Only observed, and the cloud differs from the spec: see status.drift"}
end

if conditions.Stalled then
  return health("Degraded", conditions.Stalled)
end
for _, condition in ipairs({synced, ready}) do
  if overdue[condition.reason or ""] then
    return health("Degraded", condition)
  end
end

if conditions.Reconciling then
  return health("Progressing", conditions.Reconciling)
end
if awaited[synced.reason or ""] then
  return health("Progressing", synced)
end
if coming[ready.reason or ""] then
  return health("Progressing", ready)
end

if ready.status == "True" then
  return health("Healthy", ready)
end
return health("Degraded", ready)
