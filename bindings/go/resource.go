package actionhist

// Resource is what an action is done to. Plurals and lower case are understood as a kind.
type Resource struct {
	Cluster    string `json:"cluster,omitempty"`
	APIGroup   string `json:"api_group,omitempty"`
	APIVersion string `json:"api_version,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
	UID        string `json:"uid,omitempty"`
}
