-- amend_deployment: changes what belongs to no customer (agencies, administrators, links that sign one in, API tokens, who owns which
-- domain), all of it or nothing, together with its audit entry.
-- keys: agencies administrators sign_in_links api_tokens domain_owners deployment_audit
-- args: changes audit
-- answers: amended {} | stale {}
-- uses: view audit changes
if is_stale(deployment_audit) then
  return answer('stale')
end
apply({
  agencies = agencies, administrators = administrators, sign_in_links = sign_in_links, api_tokens = api_tokens,
  domain_owners = domain_owners,
})
note_change(deployment_audit)
return answer('amended')
