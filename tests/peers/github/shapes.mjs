// Objects of GitHub's that stand within many answers, with all that its description asks for.

// The account under which a workflow's own token acts.
export function user(base) {
  const url = `${new URL(base).origin}/users/github-actions%5Bbot%5D`
  const urls = ['followers', 'following', 'gists', 'starred', 'subscriptions', 'organizations', 'repos', 'events', 'received_events']
  return {
    login: 'github-actions[bot]', id: 41898282, node_id: 'MDM6Qm90NDE4OTgyODI=', avatar_url: `${url}/avatar`, gravatar_id: '', url, html_url: url, type: 'Bot',
    site_admin: false, ...Object.fromEntries(urls.map((name) => [`${name}_url`, `${url}/${name}`])),
  }
}

// A repository, with the addresses of everything in it.
export function repository(base) {
  const [owner, name] = new URL(base).pathname.split('/').slice(-2)
  const urls = [
    'archive', 'assignees', 'blobs', 'branches', 'collaborators', 'comments', 'commits', 'compare', 'contents', 'contributors', 'deployments', 'downloads', 'events', 'forks',
    'git_commits', 'git_refs', 'git_tags', 'hooks', 'issue_comment', 'issue_events', 'issues', 'keys', 'labels', 'languages', 'merges', 'milestones', 'notifications', 'pulls',
    'releases', 'stargazers', 'statuses', 'subscribers', 'subscription', 'tags', 'teams', 'trees',
  ]
  return {
    id: 1, node_id: 'R_1', name, full_name: `${owner}/${name}`, owner: user(base), private: false, html_url: base, description: null, fork: false, url: base,
    ...Object.fromEntries(urls.map((name) => [`${name}_url`, `${base}/${name}`])),
  }
}
